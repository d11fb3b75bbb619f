/// Mounts on their own, as the command `mounts` takes them: the array that config.json has under "mounts".

extension Mount {
    /// Reads an array of mounts and validates it: all problems together, in the document's order.
    public static func check(_ document: JSONDocument) -> (mounts: [Mount], diagnostics: [Diagnostic]) {
        var reader = Reader(document)
        let mounts = reader.mounts(document.root)
        var findings = Findings()
        checkMounts(mounts, Config().linux, &findings)
        return (mounts, Findings.sorted(reader.findings.list + findings.list))
    }
}
