variable "run_id" {
  description = "The run that deploys this example; everything it makes carries it."
  type        = string
}

variable "sandbox_folder" {
  description = "The folder that stands for a cloud account."
  type        = string
}

module "network" {
  source   = "../.."
  name     = "${var.run_id}-network"
  registry = var.sandbox_folder
}

output "placement" {
  value = module.network.placement
}
