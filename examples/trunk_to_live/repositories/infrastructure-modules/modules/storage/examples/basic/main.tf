variable "run_id" {
  description = "The run that deploys this example; everything it makes carries it."
  type        = string
}

module "storage" {
  source = "../.."
  name   = "${var.run_id}-storage"
}

output "bucket" {
  value = module.storage.bucket
}
