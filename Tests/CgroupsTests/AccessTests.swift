import Spec
import Testing

@testable import Cgroups

@Suite("Cgroups for who does not own the host's (CG-01, CG-05)")
struct AccessTests {
    private func plan(_ path: String?, base: String? = "/user.slice/u.service/app.slice", _ change: (inout Resources) -> Void = { _ in })
        throws -> CgroupPlan
    {
        var resources = Resources()
        change(&resources)
        return try CgroupPlan(cgroupsPath: path.map { at($0) }, id: "c", layout: Host.v2, resources: resources, base: base)
    }

    private var closed: CgroupAccess {
        var access = CgroupAccess()
        access.closed = "/cg/user.slice"
        access.own = "/user.slice/session-1.scope"
        return access
    }

    private func refusal(_ plan: CgroupPlan, _ access: CgroupAccess, path: String? = nil) -> CgroupError? {
        do {
            _ = try plan.isGranted(access, path: path.map { at($0) })
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "a path that is not absolute begins at the base",
        arguments: [
            (nil, "/user.slice/u.service/app.slice/swoci-c"), ("", "/user.slice/u.service/app.slice/swoci-c"),
            ("libpod-1", "/user.slice/u.service/app.slice/libpod-1"), ("/a/b", "/a/b"),
        ])
    func base(given: String?, expected: String) throws {
        #expect(try plan(given).path == expected)
    }

    @Test("the base is beside the caller's own cgroup", arguments: [("/a/b/own.scope", "/a/b"), ("/own", ""), ("/", "")])
    func beside(own: String, base: String) throws {
        #expect(CgroupLayout.delegationBase(own: own) == base)
        #expect(try plan(nil, base: base).path == base + "/swoci-c")
    }

    @Test("the caller's own cgroup is the line of v2")
    func own() {
        #expect(CgroupLayout.ownCgroup(listing: "3:cpu:/x\n0::/a:b/c") == "/a:b/c")
        #expect(CgroupLayout.ownCgroup(listing: "3:cpu:/x") == nil)
    }

    @Test(
        "a move needs the closest cgroup above both places",
        arguments: [
            ("/cg/a/own", "/cg/a/box", "/cg/a"), ("/cg/a/own", "/cg/a/own/box", "/cg/a/own"), ("/cg/a", "/cg/b", "/cg"),
            ("/cg", "/cg/b", "/cg"),
        ])
    func ancestor(first: String, second: String, expected: String) {
        #expect(CgroupAccess.commonAncestor(first, second) == expected)
    }

    @Test("without rights nothing is made, as long as nothing asks for it")
    func without() throws {
        #expect(try !plan(nil).isGranted(closed, path: nil))
        #expect(try !plan("libpod-1").isGranted(closed, path: at("libpod-1")))
        #expect(try plan(nil).isGranted(CgroupAccess(), path: nil))
    }

    @Test("a limit without rights says what is closed and what the caller could do")
    func limit() throws {
        let error = refusal(try plan(nil) { $0.pids = at(7) }, closed)
        #expect(error?.origin == somewhere)
        #expect(error?.path == "pids.max")
        #expect(error?.problem == "the caller may not make cgroups: no right to write to /cg/user.slice")
        #expect(error?.hint?.contains("systemd-run --user --scope") == true)
        #expect(error?.hint?.contains("/user.slice/session-1.scope") == true)
        var old = closed
        old.isUnified = false
        #expect(refusal(try plan(nil) { $0.pids = at(7) }, old)?.hint == "cgroup v1 has no delegation to ordinary users: cgroup v2 has")
    }

    @Test("an absolute path without rights is an error of its own")
    func absolute() throws {
        let error = refusal(try plan("/a/b"), closed, path: "/a/b")
        #expect(error?.path == "/a/b")
        #expect(error?.origin == somewhere)
    }

    @Test("a controller that is not delegated is named, with the drop-in that delegates it")
    func controller() throws {
        var access = CgroupAccess()
        access.top = "/cg/user.slice/u.service"
        access.controllers = ["memory", "pids"]
        #expect(refusal(try plan(nil) { $0.pids = at(7) }, access) == nil)
        let error = refusal(try plan(nil) { $0.unified = [Pair(key: "io.weight", value: "7", origin: somewhere)] }, access)
        #expect(error?.origin == somewhere)
        #expect(error?.problem == "the controller io is not delegated to the caller: /cg/user.slice/u.service has memory pids")
        #expect(error?.hint?.contains("/etc/systemd/system/user@.service.d/delegate.conf") == true)
        #expect(error?.hint?.contains("Delegate=io memory pids") == true)
    }
}
