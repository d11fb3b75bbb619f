/// `swoci ps`

import Runtime

func processes(_ context: Context) throws(Failure) {
    let format = context.options["format"] ?? "table"
    guard format == "table" || format == "json" else { throw Failure("invalid format option", format, kind: .usage) }
    let pids = try context.store().processes(context.containerID())
    if format == "json" { return try print("[" + pids.map { "\($0)" }.joined(separator: ",") + "]\n") }
    let searchPath = context.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
    try print(processTable(pids, options: Array(context.operands.dropFirst()), searchPath: searchPath))
}
