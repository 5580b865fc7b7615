aws elbv2 modify-load-balancer-attributes \
  --load-balancer-arn "$LOAD_BALANCER_ARN" \
  --attributes Key=idle_timeout.timeout_seconds,Value=3600
