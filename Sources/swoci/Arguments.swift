/// The command line: from words to a command with its options and operands.
///
/// Pure: the table of commands says what there is, this file takes the words apart. Global options come before the command; a
/// command's own may stand before and after its operands (CLI-01).

/// An option of swoci or of a command.
struct Flag {
    /// The long name, without dashes.
    let name: String
    /// The letter of the short form.
    let short: String?
    /// What stands for its value in the help; nil: the option has none.
    let value: String?
    /// What it does.
    let help: String

    init(_ name: String, value: String? = nil, _ help: String) {
        self.init(name, nil, value: value, help)
    }

    init(_ name: String, _ short: String?, value: String? = nil, _ help: String) {
        self.name = name
        self.short = short
        self.value = value
        self.help = help
    }
}

/// Options that were given, the last of a name counting.
struct Options: Equatable {
    private var given: [Given] = []

    struct Given: Equatable {
        var name: String
        var value: String
    }

    /// Notes an option; one without a value has the value "true".
    mutating func add(_ name: String, _ value: String) {
        given.append(Given(name: name, value: value))
    }

    /// The value of an option.
    subscript(_ name: String) -> String? { given.last { $0.name == name }?.value }

    /// All values of an option that may be repeated, in their order.
    func values(_ name: String) -> [String] { given.filter { $0.name == name }.map { $0.value } }

    /// Whether an option without a value is set.
    func isSet(_ name: String) -> Bool {
        let value = self[name]
        return value == "true" || value == "1"
    }
}

/// A command line, taken apart.
struct Invocation: Equatable {
    /// What is asked for.
    enum Request: Equatable {
        /// The command.
        case run(Command)
        /// Its help; nil: swoci's own.
        case help(Command?)
        /// The version.
        case version
    }

    var request = Request.help(nil)
    var globals = Options()
    var options = Options()
    var operands: [String] = []
}

/// Why a command line makes no sense.
struct UsageError: Error, Equatable {
    /// The sentence.
    var message: String
    /// The command whose help tells more.
    var command: Command?
    /// The exit status.
    var status: Int32 = 1
    /// The options that were understood before: where the error is to be logged.
    var globals = Options()
}

/// Takes a command line apart.
///
/// - Parameter words: The words after the program's name.
func parseArguments(_ words: [String]) throws(UsageError) -> Invocation {
    var parser = ArgumentParser(words: words[...])
    do throws(UsageError) { return try parser.parse() } catch {
        var error = error
        error.globals = parser.globals
        throw error
    }
}

private struct ArgumentParser {
    var words: ArraySlice<String>
    var globals = Options()

    init(words: ArraySlice<String>) { self.words = words }

    mutating func parse() throws(UsageError) -> Invocation {
        while let word = words.first, isOption(word) {
            words.removeFirst()
            if isHelp(word) { return Invocation(request: .help(nil), globals: globals) }
            let (name, value) = try option(word, of: globalFlags, nil)
            globals.add(name, value)
        }
        if globals.isSet("version") { return Invocation(request: .version, globals: globals) }
        guard let name = words.popFirst() else { return Invocation(request: .help(nil), globals: globals) }
        if name == "help" || name == "h" { return try help() }
        return try command(try find(name))
    }

    private mutating func command(_ command: Command) throws(UsageError) -> Invocation {
        let description = command.description
        var options = Options()
        var operands: [String] = []
        var onlyOperands = false
        while let word = words.popFirst() {
            if onlyOperands || !isOption(word) {
                operands.append(word)
                onlyOperands = onlyOperands || description.takesWordsAsTheyAre
            } else if word == "--" {
                onlyOperands = true
            } else if isHelp(word) {
                return Invocation(request: .help(command), globals: globals)
            } else {
                let (name, value) = try option(word, of: description.flags, command)
                options.add(name, value)
            }
        }
        guard description.operandCount.contains(operands.count) else { throw wrongCount(command, description) }
        return Invocation(request: .run(command), globals: globals, options: options, operands: operands)
    }

    /// Takes apart what follows `help`: a command or nothing.
    private mutating func help() throws(UsageError) -> Invocation {
        guard let name = words.first(where: { !isOption($0) }) else { return Invocation(request: .help(nil), globals: globals) }
        return Invocation(request: .help(try find(name)), globals: globals)
    }

    private func find(_ name: String) throws(UsageError) -> Command {
        guard let command = Command(rawValue: name) else {
            throw UsageError(message: "No help topic for '\(name)'", command: nil, status: 3)
        }
        return command
    }

    /// `--name`, `--name=value`, `--name value`, `-n`, `-n value`, `-n=value`; one dash does for long names as well.
    private mutating func option(
        _ word: String, of flags: [Flag], _ command: Command?
    ) throws(UsageError) -> (name: String, value: String) {
        let body = word.drop { $0 == "-" }
        let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let flag = flags.first(where: { $0.name == name || $0.short == name }) else {
            throw UsageError(message: "Incorrect Usage: flag provided but not defined: -\(name)", command: command)
        }
        if flag.value == nil {
            let value = parts.count == 2 ? String(parts[1]) : "true"
            guard ["true", "false", "1", "0"].contains(value) else {
                throw UsageError(message: "Incorrect Usage: invalid boolean value \"\(value)\" for -\(name)", command: command)
            }
            return (flag.name, value)
        }
        if parts.count == 2 { return (flag.name, String(parts[1])) }
        if let value = words.popFirst() { return (flag.name, value) }
        throw UsageError(message: "Incorrect Usage: flag needs an argument: -\(name)", command: command)
    }

    private func wrongCount(_ command: Command, _ description: CommandDescription) -> UsageError {
        let range = description.operandCount
        let count = range.lowerBound == range.upperBound ? "exactly \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        let usage = description.operands.isEmpty ? "" : ": \(description.operands)"
        return UsageError(message: "\"\(command.rawValue)\" requires \(count) argument(s)\(usage)", command: command)
    }
}

/// A single dash stands for standard input, not for an option.
private func isOption(_ word: String) -> Bool {
    word.utf8.first == UInt8(ascii: "-") && word.utf8.count > 1
}

private func isHelp(_ word: String) -> Bool {
    word == "-h" || word == "--help" || word == "-help"
}
