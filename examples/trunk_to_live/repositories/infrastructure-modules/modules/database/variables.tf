variable "name" {
  description = "What the database is called."
  type        = string
}

variable "password" {
  description = "The owner's password."
  type        = string
  sensitive   = true
}
