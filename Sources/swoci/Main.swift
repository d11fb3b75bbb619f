import Linux
import Runtime

@c(swoci_main)
func main(_ count: Int32, _ arguments: UnsafePointer<UnsafePointer<CChar>?>) -> Int32 {
    let words = (0..<Int(count)).map { String(cString: arguments[$0]!) }
    print("swoci \(words.count)")
    do { print(try readText("/proc/self/cgroup")) } catch { print(error.text) }
    return 0
}
