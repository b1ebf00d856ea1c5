resource "terraform_data" "bucket" {
  input = var.name
}
