variable "run_id" {
  description = "The run that deploys this example; everything it makes carries it."
  type        = string
}

module "cluster" {
  source = "../.."
  name   = "${var.run_id}-cluster"
}

output "endpoint" {
  value = module.cluster.endpoint
}
