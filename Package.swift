// swift-tools-version: 6.2
import Foundation
import PackageDescription

// One settings array for every target: an inlined kernel in a target without the CPU's flags would turn
// each fused multiply-add into a call of `fmaf`. GPT2_BENCH_MARCH names another CPU (for example
// `x86-64-v3`); the choice is compiled in, and every record says what it was.
let environment = ProcessInfo.processInfo.environment
let cpu = environment["GPT2_BENCH_MARCH"] ?? "native"
#if arch(arm64)
  let cpuFlag = "-mcpu=\(cpu)"
#else
  let cpuFlag = "-march=\(cpu)"
#endif
let clangFlags = ["-Xcc", cpuFlag, "-Xcc", "-DGPT2_BENCH_CPU_FLAG=\"\(cpuFlag)\""]

// Measured code, and the making of blocks, is optimised in debug builds too, so that `swift test` holds the kernels that
// ship against the oracle, in minutes. Assertions stay on there.
let optimised: SwiftSetting = .unsafeFlags(
  ["-O", "-disable-batch-mode", "-wmo", "-num-threads", "2", "-assert-config", "Debug"],
  .when(configuration: .debug))

let settings: [SwiftSetting] = [.unsafeFlags(clangFlags), .swiftLanguageMode(.v6)]
let hot = settings + [optimised]

let package = Package(
  name: "gpt2-bench",
  products: [
    .executable(name: "gpt2-bench", targets: ["gpt2-bench"]),
    .library(
      name: "GPT2Engine", targets: ["GPT2Engine", "GPT2Kernels", "GPT2Model", "NumberFormats", "Record"]),
  ],
  targets: [
    .target(name: "CSystem"),
    .target(name: "Files", swiftSettings: settings),
    .target(name: "Statistics", swiftSettings: hot),
    .target(name: "NumberFormats", dependencies: ["CSystem"], swiftSettings: hot),
    .target(
      name: "GPT2Model", dependencies: ["CSystem", "Files", "NumberFormats"], swiftSettings: settings),
    .target(name: "GPT2Kernels", dependencies: ["CSystem"], swiftSettings: hot),
    .target(
      name: "GPT2Engine",
      dependencies: ["GPT2Model", "GPT2Kernels", "NumberFormats", "Record", "Statistics"],
      exclude: ["README.md"], swiftSettings: hot),
    .target(name: "Record", dependencies: ["Files"], swiftSettings: settings),
    .target(
      name: "Measurement", dependencies: ["CSystem", "Files", "Record", "Statistics"],
      swiftSettings: hot),
    .target(
      name: "Reporting", dependencies: ["Files", "Record", "Statistics"], swiftSettings: settings),
    .target(
      name: "Training",
      dependencies: ["CSystem", "Files", "GPT2Model", "GPT2Kernels", "GPT2Engine", "Statistics"],
      swiftSettings: hot),
    .target(
      name: "Chat", dependencies: ["CSystem", "Files", "GPT2Model", "GPT2Kernels", "GPT2Engine"],
      swiftSettings: settings),
    .executableTarget(
      name: "gpt2-bench",
      dependencies: [
        "Chat", "CSystem", "Files", "GPT2Model", "GPT2Kernels", "GPT2Engine", "Measurement", "Record",
        "Reporting", "Statistics", "Training",
      ],
      swiftSettings: settings),
    // The oracle's sums in double are most of what the kernels' tests compute.
    .target(
      name: "TestSupport", dependencies: ["GPT2Model", "NumberFormats", "Record"],
      path: "Tests/TestSupport", swiftSettings: hot),
    // The example of Sources/GPT2Engine/README.md, word for word.
    .executableTarget(
      name: "library-example", dependencies: ["GPT2Engine"], path: "Tests/LibraryExample",
      swiftSettings: settings),
    // What scripts/fuzz.py gives its inputs to.
    .executableTarget(
      name: "fuzz-readers", dependencies: ["GPT2Engine", "GPT2Model", "Record", "Reporting", "Training"],
      path: "Tests/FuzzReaders", swiftSettings: settings),
    .testTarget(
      name: "StatisticsTests", dependencies: ["Statistics", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "NumberFormatsTests", dependencies: ["NumberFormats", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "GPT2ModelTests", dependencies: ["GPT2Model", "NumberFormats", "TestSupport"],
      exclude: ["Tokenizer/Data"],
      swiftSettings: settings),
    .testTarget(
      name: "GPT2KernelsTests", dependencies: ["CSystem", "GPT2Kernels", "TestSupport"],
      swiftSettings: hot),
    .testTarget(
      name: "GPT2EngineTests", dependencies: ["GPT2Engine", "Record", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "MeasurementTests",
      dependencies: ["Measurement", "Record", "Statistics", "GPT2Kernels", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "RecordTests", dependencies: ["Record", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "ReportingTests", dependencies: ["Files", "Record", "Reporting", "Statistics", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Files", "GPT2Engine", "GPT2Kernels", "GPT2Model", "Statistics", "TestSupport", "Training",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ChatTests", dependencies: ["Chat", "Files", "GPT2Engine", "GPT2Model", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "Chat", "Files", "gpt2-bench", "library-example", "GPT2Engine", "GPT2Kernels", "GPT2Model",
        "Record", "Reporting", "TestSupport", "Training",
      ],
      exclude: ["Goldens"],
      swiftSettings: settings),
  ]
)
