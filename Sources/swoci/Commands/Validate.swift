/// `swoci validate`

import Linux
import Runtime
import Spec

/// 0 where there is no error, 1 where there is one, 2 where there is nothing to read.
func validate(_ context: Context) -> Int32 {
    do throws(Failure) {
        let path = try context.bundle(operand: 0) + "/config.json"
        let text: [UInt8]
        do throws(Errno) { text = try OwnedFD.open(path, [.read, .nonBlocking]).readAll(limit: JSONDocument.maximumSize) } catch {
            throw Failure("read", path, errno: error)
        }
        let (lines, hasErrors) = findings(text)
        try print(lines)
        return hasErrors ? 1 : 0
    } catch {
        context.reporter.error(error.message)
        return 2
    }
}

/// The findings of a config, one a line.
func findings(_ text: [UInt8]) -> (lines: String, hasErrors: Bool) {
    let document: JSONDocument
    do throws(JSONDocument.SyntaxError) { document = try JSONDocument(text) } catch {
        return (oneLine(Diagnostic(error).rendered(document: nil)) + "\n", true)
    }
    let diagnostics = Config.check(document).diagnostics
    var lines = ""
    for diagnostic in diagnostics { lines += oneLine(diagnostic.rendered(document: document)) + "\n" }
    return (lines, diagnostics.hasErrors)
}
