import Foundation
import Testing

@testable import Measurement

/// In processes of their own: other tests take memory and give it back meanwhile.
@Suite struct ProcessMemoryTests {
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
