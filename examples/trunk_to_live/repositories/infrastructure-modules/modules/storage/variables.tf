variable "name" {
  description = "What the bucket is called."
  type        = string
}
