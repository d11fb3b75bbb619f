/// The heap of a release (Sources/CMusl/Allocator.c), under the names that a debug build gives it.

import CMusl
import Testing

/// A block in use: its bytes all have one value.
private struct Block {
    let address: UnsafeMutableRawPointer
    let size: Int
    let byte: UInt8

    init(_ address: UnsafeMutableRawPointer, _ size: Int, _ byte: UInt8) {
        (self.address, self.size, self.byte) = (address, size, byte)
        address.initializeMemory(as: UInt8.self, repeating: byte, count: size)
    }

    /// Whether the bytes are still what was written, as far as `count` reaches.
    func isIntact(upTo count: Int) -> Bool {
        UnsafeRawBufferPointer(start: address, count: min(size, count)).allSatisfy { $0 == byte }
    }
}

@Test("blocks of every size keep their bytes while others come and go", arguments: [1, 2, 3])
func heapKeepsBytes(seed: UInt64) throws {
    var random = Random(state: seed)
    var blocks: [Int: Block] = [:]
    for round in 0..<20_000 {
        let slot = random.below(400)
        let size = random.below(20) == 0 ? random.below(200_000) + 1 : random.below(700) + 1
        guard let block = blocks.removeValue(forKey: slot) else {
            let alignment = random.below(4) == 0 ? 16 << random.below(9) : 16
            var result: UnsafeMutableRawPointer?
            #expect(cm_posix_memalign(&result, alignment, size) == 0)
            let address = try #require(result)
            #expect(Int(bitPattern: address) % alignment == 0)
            blocks[slot] = Block(address, size, UInt8(truncatingIfNeeded: round))
            continue
        }
        #expect(block.isIntact(upTo: .max))
        if random.below(4) == 0 {
            let address = try #require(cm_realloc(block.address, size))
            #expect(Block(intact: address, block.size, block.byte).isIntact(upTo: size))
            blocks[slot] = Block(address, size, block.byte)
        } else {
            cm_free(block.address)
        }
    }
    for block in blocks.values {
        #expect(block.isIntact(upTo: .max))
        cm_free(block.address)
    }
}

@Test("a freed block is the next of its size")
func heapUsesBlocksAgain() throws {
    let first = try #require(cm_malloc(100))
    cm_free(first)
    let second = try #require(cm_malloc(110))
    #expect(second == first)
    cm_free(second)
}

@Test("calloc clears what was used before, and refuses a product that does not fit")
func heapClears() throws {
    let used = try #require(cm_malloc(64))
    used.initializeMemory(as: UInt8.self, repeating: 255, count: 64)
    cm_free(used)
    let cleared = try #require(cm_calloc(8, 8))
    #expect(UnsafeRawBufferPointer(start: cleared, count: 64).allSatisfy { $0 == 0 })
    cm_free(cleared)
    #expect(cm_calloc(.max, 2) == nil)
}

@Test("sizes that no memory has are refused", arguments: [Int.max, Int.max - 4096])
func heapRefusesSize(size: Int) {
    #expect(cm_malloc(size) == nil)
    var result: UnsafeMutableRawPointer?
    #expect(cm_posix_memalign(&result, 4096, size) != 0)
}

@Test("freeing twice, or what is no block, ends the process")
func heapNotices() async {
    await #expect(processExitsWith: .signal(6)) {
        let block = cm_malloc(40)
        cm_free(block)
        cm_free(block)
    }
    await #expect(processExitsWith: .signal(6)) {
        let block = cm_malloc(400)
        cm_free(block.map { $0 + 64 })
    }
}

extension Block {
    /// A block whose bytes came with it.
    fileprivate init(intact address: UnsafeMutableRawPointer, _ size: Int, _ byte: UInt8) {
        (self.address, self.size, self.byte) = (address, size, byte)
    }
}

/// A repeatable source of numbers (a linear congruential generator).
private struct Random {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }
}
