module "network" {
  source = "../network"
  name   = "${var.name}-data"
}

# A database cannot be moved: where its network is placed elsewhere, it is made anew.
resource "terraform_data" "database" {
  triggers_replace = module.network.placement
  input = {
    name     = var.name
    password = var.password
  }
}
