public let placeholderPlan = 0
