/// From create to delete: statuses, refusals, exit codes, and what remains when the runtime is killed.

import Foundation

let lifecycle = Topic("lifecycle") { topic in
    topic.claim("created, running, stopped, gone", rows: ["LC-02", "LC-06", "LC-10", "LC-12", "ST-03"]) { lab in
        let box = try lab.container("echo up; exec sleep 100")
        try box.created()
        try equal(try box.status(), "created", "status after create")
        try equal(box.text, "", "output before start")
        try box.started()
        try equal(try box.status(), "running", "status after start")
        try box.writes("up\n")
        try equal(try box.kill("KILL").status, 0, "kill")
        try box.stopped()
        try equal(try box.delete().status, 0, "delete")
        try box.gone()
    }
}
