public let placeholderRuntime = 0
