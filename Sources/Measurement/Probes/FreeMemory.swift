import Foundation
import Record

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory that nobody uses.
public enum FreeMemory {
  /// Touches every page of `bytes` of it and gives it back, so that who asks next gets pages that are at hand:
  /// the guest of a virtual machine hands free ones to its host after a while and has to ask for them again. It
  /// hands over large blocks, so these are huge pages where the system has them.
  ///
  /// Does nothing for more than a quarter of the machine's memory, or where there is not so much.
  public static func use(bytes: Int) {
    guard bytes > 0, let all = Machine.memoryBytes, bytes <= all / 4 else { return }
    let mapped = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { return }
    #if canImport(Glibc)
      madvise(mapped, bytes, MADV_HUGEPAGE)
    #endif
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    for offset in stride(from: 0, to: bytes, by: page) {
      mapped.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }
    munmap(mapped, bytes)
  }
}
