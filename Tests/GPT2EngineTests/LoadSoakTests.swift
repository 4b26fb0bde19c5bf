#if os(Linux)
  import Foundation
  import GPT2Engine
  import GPT2Kernels
  import GPT2Model
  import TestSupport
  import Testing

  /// A model that is loaded, asked and let go again and again, as often as `GPT2_BENCH_SOAK_LOADS` says: nothing of it
  /// stays. `scripts/sanitize.sh soak` asks for 1,000. Alone in its process, or others' memory would count.
  struct LoadSoakTests {
    private static let loads =
      ProcessInfo.processInfo.environment["GPT2_BENCH_SOAK_LOADS"].flatMap { Int($0) }
    /// What the allocator may keep for later: a hundredth of what 1,000 leaked models would be.
    private static let allowedBytes = 32 << 20

    @Test(.enabled(if: loads != nil), arguments: ["naive", "kv-cache", "packed"])
    func memoryIsFlat(_ name: String) throws {
      let loads = (Self.loads ?? 0) / 3
      let variant = try #require(Variant.named(name))
      let path = Project.file("weights/tiny")
      var resident: [Int] = []
      for _ in 0..<loads {
        let source = try ModelSource(path)
        let checkpoint = try source.open(cacheFolder: "none")
        let tokenizer = try #require(try source.tokenizer(for: checkpoint.configuration))
        let engine = try Engine(checkpoint, variant: variant, threads: 2)
        let sequence = try engine.makeSequence()
        try sequence.append(try tokenizer.encode("ROMEO:"))
        _ = try engine.continueGreedily([sequence], count: 2, onLogits: { _ in }, onTokens: { _, _ in true })
        resident.append(try Self.residentBytes())
      }
      // What is loaded once and kept is there after a fifth of them.
      let settled = try #require(resident.dropFirst(loads / 5).first)
      let last = try #require(resident.last)
      #expect(last - settled < Self.allowedBytes, "\(settled) bytes, then \(last) after \(loads) loads")
    }

    private static func residentBytes() throws -> Int {
      let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
      let pages = try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) })
      return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
  }
#endif
