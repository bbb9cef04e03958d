"""What people decide: findings, appeals, inspections, recorded acts."""
