variable "name" {
  description = "What the bastion is called."
  type        = string
}

variable "allowed_users" {
  description = "Who may log in."
  type        = list(string)
}

variable "port" {
  description = "The port it listens on."
  type        = number
  default     = 22
}
