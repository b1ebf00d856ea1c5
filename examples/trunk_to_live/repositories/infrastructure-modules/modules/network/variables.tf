variable "name" {
  description = "What the network is called."
  type        = string
}

variable "cidr" {
  description = "The addresses of the network."
  type        = string
  default     = "10.0.0.0/16"
}

variable "registry" {
  description = "A folder in which the network is registered by a file of its name; null registers nothing."
  type        = string
  default     = null
}
