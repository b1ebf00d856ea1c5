output "bucket" {
  description = "The bucket's name."
  value       = var.name
}
