import Foundation
import Logging
import Synchronization
import Testing

@testable import LeaseholdCLI

@Suite struct JSONLogHandlerTests {
    @Test func oneLineIsOneObjectWithStableKeys() throws {
        let lines = Mutex<[String]>([])
        var logger = Logger(label: "worker") { label in
            JSONLogHandler(label: label) { line in lines.withLock { $0.append(line) } }
        }
        logger[metadataKey: "tenant"] = "acme"
        logger.info("job_settled", metadata: ["outcome": "retry", "reason": "line one\nline \"two\" \\ \u{01}"])

        let line = try #require(lines.withLock { $0 }.first)
        #expect(line.filter { $0 == "\n" }.count == 1 && line.hasSuffix("\n"))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        )
        #expect(object["event"] == "job_settled")
        #expect(object["message"] == "job_settled")
        #expect(object["level"] == "info")
        #expect(object["logger"] == "worker")
        #expect(object["tenant"] == "acme")
        #expect(object["reason"] == "line one\nline \"two\" \\ \u{01}")
        #expect(object["time"]?.hasSuffix("Z") == true)
    }

    @Test func metadataNamedEventIsTheNameOfTheEvent() throws {
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "worker") { label in
            JSONLogHandler(label: label) { line in lines.withLock { $0.append(line) } }
        }
        logger.info("the job was settled", metadata: ["event": "job_settled"])
        let line = try #require(lines.withLock { $0 }.first)
        #expect(line.contains(#""event":"job_settled","message":"the job was settled""#))
        #expect(line.components(separatedBy: #""event""#).count == 2)
    }
}
