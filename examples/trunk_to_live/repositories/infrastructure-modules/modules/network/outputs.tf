output "id" {
  description = "The network's identity."
  value       = terraform_data.network.id
}

output "placement" {
  description = "Where the network's subnets are."
  value       = var.cidr
}
