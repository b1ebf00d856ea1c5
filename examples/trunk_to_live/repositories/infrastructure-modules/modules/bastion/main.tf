module "network" {
  source = "../network"
  name   = "${var.name}-bastion"
}

resource "terraform_data" "bastion" {
  input = {
    name      = var.name
    users     = var.allowed_users
    port      = var.port
    placement = module.network.placement
  }
}
