/// What a step's failure means in a user namespace, where the kernel's errno tells nobody.

import Linux
import Plan

extension Plan {
    /// What to do about an errno that a user namespace causes; nil: nothing of the kind.
    ///
    /// - Source: mount_namespaces(7), "Restrictions"; user_namespaces(7).
    func hintOfUserNamespaces(_ step: Step, _ errno: Errno?) -> String? {
        switch (step, errno) {
        case (.openSource(let step), Errno.invalidArgument) where step.source.options & 1 == 0:
            "a user namespace may not uncover what is mounted below the source: use rbind"
        case (.joinNamespace, Errno.notPermitted):
            "it belongs to another user namespace: join that one as well, or have its owner start the container"
        case (.mountFilesystem(let step), Errno.notPermitted) where ["proc", "sysfs"].contains(string(step.type)):
            "a user namespace gets a new \(string(step.type)) only where nothing covers parts of the caller's own, as masks do in a container; "
                + "bind the caller's instead, for /proc without a PID namespace"
        default: nil
        }
    }
}
