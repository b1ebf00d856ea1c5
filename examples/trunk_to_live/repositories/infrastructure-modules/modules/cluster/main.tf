module "network" {
  source = "../network"
  name   = "${var.name}-nodes"
}

resource "terraform_data" "cluster" {
  input = {
    name      = var.name
    nodes     = var.nodes
    placement = module.network.placement
  }
}
