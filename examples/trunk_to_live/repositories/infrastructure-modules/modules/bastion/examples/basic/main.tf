variable "run_id" {
  description = "The run that deploys this example; everything it makes carries it."
  type        = string
}

module "bastion" {
  source        = "../.."
  name          = "${var.run_id}-bastion"
  allowed_users = ["ada"]
}

output "host" {
  value = module.bastion.host
}
