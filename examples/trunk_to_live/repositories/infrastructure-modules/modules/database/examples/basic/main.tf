variable "run_id" {
  description = "The run that deploys this example; everything it makes carries it."
  type        = string
}

module "database" {
  source   = "../.."
  name     = "${var.run_id}-database"
  password = "only-for-the-sandbox"
}

output "address" {
  value = module.database.address
}
