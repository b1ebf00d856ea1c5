variable "name" {
  description = "What the cluster is called."
  type        = string
}

variable "nodes" {
  description = "How many nodes it has."
  type        = number
  default     = 3
}
