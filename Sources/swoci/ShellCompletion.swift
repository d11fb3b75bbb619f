/// Completion scripts of shells, out of the table of commands: what can be typed is what is understood.

/// A shell that can complete command lines.
enum Shell: String, CaseIterable {
    case bash
    case zsh
    case fish

    /// The script, to be sourced.
    var script: String {
        switch self {
        case .bash: bashScript
        case .zsh: zshScript
        case .fish: fishScript
        }
    }
}

/// What a value of an option is, for completion.
private enum ValueKind: Equatable {
    case none
    case file
    case directory
    case words([String])
    case other

    init(_ flag: Flag) {
        switch flag.value {
        case nil: self = .none
        case "DIR", "BUNDLE": self = .directory
        case "FILE", "PATH": self = .file
        case "MANAGER": self = .words(["cgroupfs", "systemd", "disabled"])
        case "LEVEL": self = .words(["error", "warning", "info", "debug"])
        case "FORMAT": self = .words(flag.name == "log-format" ? ["text", "json"] : ["table", "json"])
        default: self = .other
        }
    }
}

extension Flag {
    fileprivate var words: [String] { ["--" + name] + (short.map { ["-" + $0] } ?? []) }
}

extension Command {
    /// Whether the first operand names a container that is there already.
    fileprivate var takesContainer: Bool {
        self != .create && self != .run && description.operands.utf8.starts(with: "CONTAINER-ID".utf8)
    }

    /// Words that the first operand can be.
    fileprivate var operandWords: [String] {
        self == .completion ? Shell.allCases.map { $0.rawValue } : []
    }
}

/// The patterns of a `case` for options whose value is of a kind.
private func patterns(_ flags: [Flag], where isWanted: (ValueKind) -> Bool) -> String {
    flags.filter { isWanted(ValueKind($0)) }.flatMap { $0.words }.joined(separator: "|")
}

// MARK: bash

/// What to offer for an option's value, as lines of a `case`.
private func bashValues(_ flags: [Flag], indent: String) -> String {
    var text = ""
    for flag in flags {
        let pattern = flag.words.joined(separator: "|")
        switch ValueKind(flag) {
        case .none: continue
        case .file: text += "\(indent)\(pattern)) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n"
        case .directory: text += "\(indent)\(pattern)) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return ;;\n"
        case .words(let words):
            text += "\(indent)\(pattern)) mapfile -t COMPREPLY < <(compgen -W '\(words.joined(separator: " "))' -- \"$cur\"); return ;;\n"
        case .other: text += "\(indent)\(pattern)) return ;;\n"
        }
    }
    return text
}

private var bashScript: String {
    let commands = Command.allCases
    let globals = globalFlags.flatMap { $0.words }.joined(separator: " ")
    let names = commands.map { $0.rawValue }.joined(separator: " ")
    var text = """
        # bash completion of swoci: source it, or put it where bash-completion looks for it.
        _swoci() {
            local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= flags= words= i
            local -a root=()
            COMPREPLY=()
            for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                    --root) root=(--root "${COMP_WORDS[i+1]}"); ((i++)) ;;
                    \(patterns(globalFlags.filter { $0.name != "root" }) { $0 != .none })) ((i++)) ;;
                    -*|=) ;;
                    *) command=${COMP_WORDS[i]}; break ;;
                esac
            done
            case $command in
                '')
                    case $prev in

        """
    text += bashValues(globalFlags, indent: "                ")
    text += "            esac\n            flags='\(globals) --help'\n            words='\(names) help' ;;\n"
    text += "        help) words='\(names)' ;;\n"
    for command in commands {
        let flags = command.description.flags
        text += "        \(command.rawValue))\n"
        let values = bashValues(flags, indent: "                ")
        if !values.isEmpty { text += "            case $prev in\n\(values)            esac\n" }
        text += "            flags='\((flags.flatMap { $0.words } + ["--help"]).joined(separator: " "))'\n"
        if command.takesContainer { text += "            words=$(swoci \"${root[@]}\" list -q 2>/dev/null)\n" }
        if !command.operandWords.isEmpty { text += "            words='\(command.operandWords.joined(separator: " "))'\n" }
        text += "            ;;\n"
    }
    return text + """
            esac
            [[ $cur == -* ]] && words=$flags
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        }
        complete -o default -F _swoci swoci

        """
}

// MARK: zsh

/// A text between single quotes, with what _arguments would take for its own escaped.
private func zshQuoted(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
        if character == "'" {
            result += "'\\''"
        } else {
            if character == "[" || character == "]" || character == ":" { result += "\\" }
            result.unicodeScalars.append(character)
        }
    }
    return result
}

private func zshFlags(_ flags: [Flag], indent: String) -> String {
    var text = ""
    for flag in flags {
        let action =
            switch ValueKind(flag) {
            case .none: ""
            case .file: ":file:_files"
            case .directory: ":directory:_files -/"
            case .words(let words): ":value:(\(words.joined(separator: " ")))"
            case .other: ":value: "
            }
        let isLong = action.isEmpty ? "" : "="
        let exclusive = flag.short.map { "'(-\($0) --\(flag.name))'{-\($0),--\(flag.name)\(isLong)}" } ?? "--\(flag.name)\(isLong)"
        text += "\(indent)\(exclusive)'[\(zshQuoted(flag.help))]\(action)' \\\n"
    }
    return text
}

private var zshScript: String {
    var text = """
        #compdef swoci
        # zsh completion of swoci: put it as _swoci into a directory of fpath, or source it after compinit.
        _swoci_containers() {
            local -a ids
            ids=(${(f)"$(swoci ${opt_args[--root]:+--root} ${opt_args[--root]} list -q 2>/dev/null)"})
            compadd -a ids
        }
        _swoci() {
            local curcontext=$curcontext state line
            typeset -A opt_args
            _arguments -C \\

        """
    text += zshFlags(globalFlags, indent: "        ")
    text += "        '--help[print help]' \\\n        '1:command:->command' '*::argument:->argument'\n"
    text += "    case $state in\n        command)\n            local -a commands=(\n"
    for command in Command.allCases { text += "                '\(command.rawValue):\(zshQuoted(command.description.summary))'\n" }
    text += "            )\n            _describe command commands ;;\n        argument)\n            case $words[1] in\n"
    for command in Command.allCases {
        text += "                \(command.rawValue)) _arguments \\\n" + zshFlags(command.description.flags, indent: "                    ")
        let words = command.operandWords
        let operand =
            command.takesContainer
            ? "'1:container:_swoci_containers' '*:argument:_files'"
            : words.isEmpty ? "'*:argument:_files'" : "'1:shell:(\(words.joined(separator: " ")))'"
        text += "                    '--help[print help]' \(operand) ;;\n"
    }
    return text + """
                    esac ;;
            esac
        }
        (( $+functions[compdef] )) && compdef _swoci swoci

        """
}

// MARK: fish

private func fishQuoted(_ text: String) -> String {
    var result = "'"
    for character in text.unicodeScalars {
        if character == "'" || character == "\\" { result += "\\" }
        result.unicodeScalars.append(character)
    }
    return result + "'"
}

private func fishFlags(_ flags: [Flag], condition: String) -> String {
    var text = ""
    for flag in flags {
        let value =
            switch ValueKind(flag) {
            case .none: ""
            case .file: " -r -F"
            case .directory: " -x -a '(__fish_complete_directories)'"
            case .words(let words): " -x -a '\(words.joined(separator: " "))'"
            case .other: " -x"
            }
        let short = flag.short.map { " -s \($0)" } ?? ""
        text += "complete -c swoci -n \(condition) -l \(flag.name)\(short)\(value) -d \(fishQuoted(flag.help))\n"
    }
    return text
}

private var fishScript: String {
    var text = """
        # fish completion of swoci: put it as swoci.fish into ~/.config/fish/completions.
        function __swoci_containers
            set -l words (commandline -opc)
            set -l root
            if set -l at (contains -i -- --root $words)
                set root --root $words[(math $at + 1)]
            end
            swoci $root list -q 2>/dev/null
        end

        """
    text += fishFlags(globalFlags, condition: "__fish_use_subcommand")
    for command in Command.allCases {
        text += "complete -c swoci -f -n __fish_use_subcommand -a \(command.rawValue) -d \(fishQuoted(command.description.summary))\n"
    }
    for command in Command.allCases {
        let condition = "'__fish_seen_subcommand_from \(command.rawValue)'"
        text += fishFlags(command.description.flags, condition: condition)
        if command.takesContainer { text += "complete -c swoci -f -n \(condition) -a '(__swoci_containers)'\n" }
        let words = command.operandWords
        if !words.isEmpty { text += "complete -c swoci -f -n \(condition) -a '\(words.joined(separator: " "))'\n" }
    }
    return text
}
