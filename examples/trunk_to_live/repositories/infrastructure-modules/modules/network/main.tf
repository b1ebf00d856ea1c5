resource "terraform_data" "network" {
  input = {
    name = var.name
    cidr = var.cidr
  }
}

# A thing outside of Terraform's state, as real clouds are full of: made by a provisioner, and gone when
# the resource is destroyed.
resource "terraform_data" "registration" {
  count = var.registry == null ? 0 : 1
  input = "${var.registry}/${var.name}"

  provisioner "local-exec" {
    command = "mkdir -p \"$(dirname \"$FILE\")\" && : > \"$FILE\" && sleep \"$${DEMONSTRATION_DELAY:-0}\""
    environment = {
      FILE = self.input
    }
  }

  provisioner "local-exec" {
    when    = destroy
    command = "rm -f \"$FILE\""
    environment = {
      FILE = self.input
    }
  }
}
