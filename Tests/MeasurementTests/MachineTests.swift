import Foundation
import Record
import TestSupport
import Testing

@testable import Measurement

struct ProbeTests {
  @Test func statusLinesAreReadInBytes() {
    let status = "Name:\tsh\nVmHWM:\t   13656 kB\nVmRSS:\t     12 kB\nVmSwap:\tmuch kB\n"
    expectEqual(ProcessMemory.kibibytes(of: "VmHWM", in: status), 13_983_744)
    expectEqual(ProcessMemory.kibibytes(of: "VmRSS", in: status), 12_288)
    expectNil(ProcessMemory.kibibytes(of: "VmSwap", in: status))
    expectNil(ProcessMemory.kibibytes(of: "Vm", in: status))
  }

  @Test func factsOfThisMachine() {
    let facts = Machine.current()
    #expect(facts.logicalCores >= 1)
    #expect(facts.logicalCores <= 65_536)
    #expect(facts.cpu != "")
    #expect((facts.memoryBytes ?? 1 << 30) >= 1 << 28)
    #expect(!facts.system.isEmpty)
    #expect(CPUCache.ofThisMachine().allSatisfy { $0.level >= 1 && ($0.bytes ?? 1) > 0 })
  }

  @Test func cpuinfoOfBothArchitectures() {
    let x86 = """
      processor\t: 0
      vendor_id\t: GenuineIntel
      model name\t: Intel(R) Xeon(R)   Platinum 8480+
      flags\t\t: fpu vme sse4_2 avx fma avx2 avx512f avx512_vnni amx_tile

      processor\t: 1
      model name\t: another
      """
    expectEqual(CPUInfo.modelName(x86), "Intel(R) Xeon(R) Platinum 8480+")
    expectEqual(CPUInfo.flags(x86), ["sse4_2", "avx", "fma", "avx2", "avx512f", "avx512_vnni", "amx_tile"])
    let arm = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd asimdhp sve i8mm bf16\n"
    expectNil(CPUInfo.modelName(arm))
    expectEqual(CPUInfo.flags(arm), ["asimd", "asimdhp", "sve", "i8mm", "bf16"])
    expectEqual(CPUInfo.flags(""), [])
  }

  @Test func listsOfCoresAreCounted() {
    expectEqual(CPUCache.count("0"), 1)
    expectEqual(CPUCache.count("0-3,8-11"), 8)
    expectEqual(CPUCache.count("5,7"), 2)
    for wrong in ["", "a", "3-1", "1-2-3", "-"] { expectNil(CPUCache.count(wrong)) }
  }

  @Test func availableMemoryIsNoMoreThanThereIs() {
    if let available = AvailableMemory.bytes() {
      #expect(available > 0 && available <= Machine.memoryBytes ?? .max)
    }
    expectNil(AvailableMemory.left(inGroup: "/nonexistent"))
  }

  @Test func namesOfSystems() {
    expectEqual(CPUInfo.prettyName("ID=x\nPRETTY_NAME=\"Some Linux 1\"\n"), "Some Linux 1")
    expectNil(CPUInfo.prettyName("ID=x\n"))
  }

  @Test func physicalCoresComeBeforeTheirSiblings() {
    let pairs = [0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3", 4: "4-5"]
    expectEqual(CPUTopology.spread([4, 0, 1, 2, 3]) { pairs[$0] }, [0, 2, 4, 1, 3])
    expectEqual(CPUTopology.spread([5, 3, 9]) { _ in nil }, [3, 5, 9])
    #expect(CPUTopology.allowedCPUs().count <= CPUTopology.availableCores)
  }

  @Test func cachesAreReadFromTheirFolders() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let levels = [
      ("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "1024K"), ("3", "Unified", nil),
    ]
    for (index, cache) in levels.enumerated() {
      let path = folder.appendingPathComponent("index\(index)")
      try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
      try Data("\(cache.0)\n".utf8).write(to: path.appendingPathComponent("level"))
      try Data("\(cache.1)\n".utf8).write(to: path.appendingPathComponent("type"))
      if let size = cache.2 { try Data("\(size)\n".utf8).write(to: path.appendingPathComponent("size")) }
    }
    let caches = CPUCache.ofFirstCore(in: folder.path)
    expectEqual(caches.map(\.description), ["L1d 48 KiB", "L2 1 MiB", "L3"])
    #expect(CPUCache.ofFirstCore(in: folder.path + "/none").isEmpty)
    expectEqual(CPUCache.bytes("32M"), 32 << 20)
    expectNil(CPUCache.bytes("0K"))
    expectNil(CPUCache.bytes("big"))
  }

  @Test func aFileLeavesThePageCacheOrIsSaidToStay() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: path))
    expectEqual(PageCache.residentFraction(path), 1)
    switch PageCache.evict(path) {
    case .evicted: expectEqual(PageCache.residentFraction(path), 0)
    case .stillResident(let share): #expect(share > 0 && share <= 1)
    case .failed(let reason): #expect(reason.hasPrefix(path))
    }
    try expectEqual(Data(contentsOf: URL(fileURLWithPath: path)), Data(repeating: 7, count: 1 << 20))
  }

  @Test func aFileThatIsNotThereHasNoPages() {
    expectNil(PageCache.residentFraction("/nonexistent/file"))
    guard case .failed(let reason) = PageCache.evict("/nonexistent/file") else {
      Issue.record("expected a failure")
      return
    }
    #expect(reason.hasPrefix("/nonexistent/file: "))
  }
}

/// In processes of their own: other tests take memory and give it back meanwhile.
struct ProcessMemoryTests {
  @Test func residentMemoryGrowsWithWhatIsTouched() async {
    await #expect(processExitsWith: .success) {
      let bytes = 64 << 20
      #if os(Linux)
        let before = try #require(ProcessMemory.residentBytes())
      #endif
      let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 4096)
      memset(memory, 1, bytes)
      sink(UnsafePointer(memory.assumingMemoryBound(to: UInt8.self)))
      let peak = try #require(ProcessMemory.peakResidentBytes())
      #if os(Linux)
        let during = try #require(ProcessMemory.residentBytes())
        #expect(during >= before + bytes / 2)
      #endif
      memory.deallocate()
      #expect(peak >= bytes)
    }
  }

  #if os(Linux)
    @Test func freeMemoryIsTouchedAndGivenBack() async {
      await #expect(processExitsWith: .success) {
        _ = ProcessMemory.resetPeak()
        let before = try #require(ProcessMemory.peakResidentBytes())
        FreeMemory.use(bytes: 256 << 20)
        let after = try #require(ProcessMemory.peakResidentBytes())
        #expect(after >= before + (200 << 20))
        #expect(try #require(ProcessMemory.residentBytes()) < after - (100 << 20))
      }
    }

    @Test func moreThanThereIsIsNotTouched() {
      for bytes in [0, -1, Int.max] { FreeMemory.use(bytes: bytes) }
    }
  #endif
}

@Suite(.serialized) struct ProcessActivityTests {
  @Test func cpuTimeGrowsWithWork() {
    let before = ProcessActivity.cpuNanoseconds()
    var x = 1.0
    // Other tests' work counts too, so one step may be enough.
    repeat { x = x.squareRoot() + 1 } while ProcessActivity.cpuNanoseconds() < before + 2_000_000
    #expect(x > 1)
  }

  @Test func waitsWhileThereIsWork() {
    var looks = 0
    // As a thread would that spins between the first six looks.
    let cameToRest = ProcessActivity.waitForRest(limit: .seconds(600)) {
      looks += 1
      return UInt64(min(looks, 6)) * 25_000_000
    }
    #expect(cameToRest && looks == 7)
    let goesOn = ProcessActivity.waitForRest(limit: .milliseconds(100)) {
      looks += 1
      return UInt64(looks) * 25_000_000
    }
    #expect(!goesOn)
  }

  @Test func theWorkOfEveryThreadCounts() {
    let before = ProcessActivity.cpuNanoseconds()
    let isDone = DispatchSemaphore(value: 0)
    Thread {
      let end = nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) + 20_000_000
      while nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) < end {}
      isDone.signal()
    }.start()
    isDone.wait()
    #expect(ProcessActivity.cpuNanoseconds() - before >= 20_000_000)
  }
}
