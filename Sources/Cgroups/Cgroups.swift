public let placeholderCgroups = 0
