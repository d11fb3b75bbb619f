/// `swoci completion`

import Runtime

func completion(_ context: Context) throws(Failure) {
    guard let shell = Shell(rawValue: context.operands[0]) else {
        throw Failure("print the completion of a shell", context.operands[0], hint: "bash, zsh or fish", kind: .usage)
    }
    try print(shell.script)
}
