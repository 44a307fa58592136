using System.Collections.Immutable;

namespace TinyLlm.Storage.Tests.Audit;

/// <summary>An audit log over a store of its own, and the lines that it has.</summary>
internal sealed class TestLog : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public TestLog(AuditKey? key = null)
    {
        Key = key ?? AuditKey.Parse(AuditKey.NewText());
        Store = new FileObjectStore(folder.FullPath, TimeProvider.System);
        Log = new AuditLog(Store, Key, TimeProvider.System);
        Reader = new AuditReader(Store);
    }

    public static AuditLogId Id { get; } = AuditLogId.Of(UserId.Parse("abcdefghij"));

    public AuditKey Key { get; }

    public ObjectStore Store { get; }

    public AuditLog Log { get; }

    public AuditReader Reader { get; }

    public AuditPosition Position { get; set; } = AuditPosition.Start;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static AuditEvent Event(int i) => new()
    {
        Action = (AuditAction)(i % 10),
        Actor = "token:tok_0",
        Subject = $"subject-{i}",
        Details = ImmutableDictionary<string, string>.Empty.Add("number", $"{i}").Add("text", "grüße\r\n\u001b[31m"),
    };

    public async Task AppendAsync(int count)
    {
        for (int i = 0; i < count; i++) Position = await Log.AppendAsync(Id, Position, Event((int)Position.Entries), Cancel);
    }

    public async Task<List<byte[]>> LinesAsync()
    {
        List<byte[]> lines = [];
        await foreach (ReadOnlyMemory<byte> line in Reader.ReadLinesAsync(Id, 1, Cancel)) lines.Add(line.ToArray());
        return lines;
    }

    public AuditVerdict Verify(IEnumerable<byte[]> lines, AuditHead? held = null) => Verify(lines, Key.PublicKey, held);

    public static AuditVerdict Verify(IEnumerable<byte[]> lines, AuditPublicKey key, AuditHead? held = null)
    {
        AuditVerifier verifier = new(Id, key, held);
        foreach (byte[] line in lines) if (!verifier.Add(line)) break;
        return verifier.Finish();
    }

    public void Dispose()
    {
        Key.Dispose();
        folder.Dispose();
    }
}
