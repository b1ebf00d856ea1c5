output "host" {
  description = "The host to log in to."
  value       = "${var.name}.example.com"
}
