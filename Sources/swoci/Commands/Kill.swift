/// `swoci kill`

import Runtime

func kill(_ context: Context) throws(Failure) {
    let id = try context.containerID()
    let name = context.operands.count == 2 ? context.operands[1] : context.options["signal"]
    let signal: SignalNumber? = if let name { try SignalNumber(name) } else { nil }
    try context.store().kill(id, signal, all: context.options.isSet("all"))
}
