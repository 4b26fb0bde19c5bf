import Foundation

enum Threads {
  /// Cores that this process may use.
  static let available = ProcessInfo.processInfo.activeProcessorCount

  /// Thread counts that a command line may ask for: more than cores is allowed, and noted.
  static let range = 1...256
}
