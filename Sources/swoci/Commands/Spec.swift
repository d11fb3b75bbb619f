/// `swoci spec`

import CLinux
import Linux
import Runtime
import Spec

func spec(_ context: Context) throws(Failure) {
    let template: SpecTemplate
    if context.options.isSet("rootless") {
        template = SpecTemplate(rootless: SpecTemplate.Rootless(uid: identity(__NR_geteuid), gid: identity(__NR_getegid)))
    } else {
        template = SpecTemplate()
    }
    let path = (context.options["bundle"].map { $0 + "/" } ?? "") + "config.json"
    do throws(Errno) {
        let file = try OwnedFD.open(path, [.write, .create, .exclusive, .noFollow], mode: 0o666)
        try file.writeAll(template.json)
    } catch {
        if error == .exists { throw Failure("File config.json exists. Remove it first") }
        throw Failure("write", path, errno: error)
    }
}

private func identity(_ call: Int32) -> UInt32 {
    UInt32(truncatingIfNeeded: (try? kernel(call)) ?? 0)
}
