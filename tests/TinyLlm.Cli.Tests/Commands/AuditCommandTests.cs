using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Tests.Commands;

/// <summary>The offline verification as an auditor uses it: exported files, a remembered head, and a host that lies.</summary>
public sealed class AuditCommandTests : IDisposable
{
    private static readonly AuditLogId s_log = AuditLogId.Of(UserId.Parse("abcdefghij"));

    private readonly CliRun _run = new();
    private readonly AuditKey _key = AuditKey.Parse(AuditKey.NewText());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Verify_GrowingLog_IsIntactEveryTime()
    {
        byte[][] lines = await LinesAsync(6);
        Assert.Equal(ExitCode.Ok, await VerifyAsync(lines[..3]));
        Assert.Contains("intact: user-abcdefghij, 3 entries, head 3:", _run.Out.Text, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, await VerifyAsync(lines));
        Assert.Equal(ExitCode.Ok, await VerifyAsync(lines));
    }

    [Fact]
    public async Task Verify_EditedLog_NamesTheEntry()
    {
        byte[][] lines = await LinesAsync(6);
        lines[2][40] ^= 1;
        Assert.Equal(ExitCode.Failed, await VerifyAsync(lines));
        Assert.StartsWith("TAMPERED", _run.Error.Text, StringComparison.Ordinal);
    }

    /// <summary>The program remembers the head of the last verification by itself.</summary>
    [Fact]
    public async Task Verify_TruncatedOrForkedSinceLastTime_IsTampered()
    {
        byte[][] lines = await LinesAsync(6);
        Assert.Equal(ExitCode.Ok, await VerifyAsync(lines));
        Assert.Equal(ExitCode.Failed, await VerifyAsync(lines[..5]));
        Assert.Contains("truncated or rolled back", _run.Error.Text, StringComparison.Ordinal);
        byte[][] fork = [.. lines[..4], .. await LinesAsync(4, After(lines[..4]))];
        Assert.Equal(ExitCode.Failed, await VerifyAsync(fork));
        Assert.Contains("went on differently", _run.Error.Text, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, await VerifyAsync(lines));
    }

    [Fact]
    public async Task Verify_SinceAHead_ComparesWithThatOne()
    {
        byte[][] lines = await LinesAsync(6);
        string head = After(lines).ToString();
        Assert.Equal(ExitCode.Failed, await VerifyAsync(lines[..5], "--since", head));
        Assert.Equal(ExitCode.Ok, await VerifyAsync(lines, "--since", head));
        Assert.Equal(ExitCode.Usage, await VerifyAsync(lines, "--since", "6:no"));
    }

    /// <summary>A host, or somebody in its place, that writes the log anew with a key of its own.</summary>
    [Fact]
    public async Task Verify_SameLogUnderAnotherKey_IsTampered()
    {
        byte[][] lines = await LinesAsync(3);
        Assert.Equal(ExitCode.Ok, await VerifyAsync(lines));
        using AuditKey other = AuditKey.Parse(AuditKey.NewText());
        byte[][] forged = await LinesAsync(3, key: other);
        Assert.Equal(ExitCode.Failed, await VerifyAsync(forged, other));
        Assert.Contains("another key", _run.Error.Text, StringComparison.Ordinal);

        string keyFile = Path.Combine(_run.NewFolder("key"), "host.pem");
        await File.WriteAllTextAsync(keyFile, _key.PublicKey.Text, Cancel);
        Assert.Equal(ExitCode.Failed, await VerifyAsync(forged, other, "--key", keyFile));
        Assert.Equal(ExitCode.Ok, await VerifyAsync(lines, "--key", keyFile));
    }

    [Fact]
    public async Task Verify_NoExport_IsAUsageError()
    {
        string path = Path.Combine(_run.NewFolder("none"), "file");
        await File.WriteAllTextAsync(path, "{}\n", Cancel);
        Assert.Equal(ExitCode.Usage, await _run.RunAsync("audit", "verify", path));
    }

    [Fact]
    public async Task Export_OfTheHost_WritesItsBytes()
    {
        byte[] export = [.. AuditExport.WriteHeader(s_log, _key.PublicKey.Text), .. (await LinesAsync(2)).SelectMany(line => line.Append((byte)'\n'))];
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/api/me/audit/export", () => Results.Bytes(export, "application/x-ndjson")));
        _run.At(host);
        string path = Path.Combine(_run.NewFolder("export"), "log.jsonl");
        Assert.Equal(ExitCode.Ok, await _run.RunAsync("audit", "export", path));
        Assert.Equal(export, await File.ReadAllBytesAsync(path, Cancel));
        Assert.Equal(ExitCode.Ok, await _run.RunAsync("audit", "verify", path));
    }

    /// <summary>The file of before stays when the transfer breaks.</summary>
    [Fact]
    public async Task Export_TransferBreaks_LeavesTheFileAlone()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/api/me/audit/export", async (HttpContext http) =>
        {
            await http.Response.WriteAsync("half", http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
            http.Abort();
        }));
        _run.At(host);
        string folder = _run.NewFolder("export");
        string path = Path.Combine(folder, "log.jsonl");
        await File.WriteAllTextAsync(path, "before", Cancel);
        Assert.Equal(ExitCode.Failed, await _run.RunAsync("audit", "export", path));
        Assert.Equal("before", await File.ReadAllTextAsync(path, Cancel));
        Assert.Equal([path], Directory.GetFiles(folder));
    }

    [Fact]
    public async Task ReceiptVerify_Receipt_IsValidUntilABitChanges()
    {
        ForgetReceiptText text = new()
        {
            Kind = "user",
            Name = "alice",
            Owner = "abcdefghij",
            Versions = ["v1"],
            StoredBytes = 5,
            Purged = ["files"],
            Silos = 1,
            SilosSilent = 0,
            Retained = [new RetainedCopy("backups", new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero))],
            CompletedAt = DateTimeOffset.UnixEpoch,
        };
        SignedReceipt receipt = SignedReceipt.Sign(text, _key);
        string path = Path.Combine(_run.NewFolder("receipt"), "receipt.json");
        string json = $$"""{"receipt": {"payload":"{{receipt.Payload}}","key":"{{receipt.Key}}","signature":"{{receipt.Signature}}" } }""";
        await File.WriteAllTextAsync(path, json, Cancel);
        Assert.Equal(ExitCode.Ok, await _run.RunAsync("receipt", "verify", path));
        Assert.Contains("valid: user alice, 1 versions, 5 bytes", _run.Out.Text, StringComparison.Ordinal);
        Assert.Contains("still held until 2026-02-01", _run.Out.Text, StringComparison.Ordinal);
        byte[] payload = Convert.FromBase64String(receipt.Payload);
        payload[^3] ^= 1;
        await File.WriteAllTextAsync(path, json.Replace(receipt.Payload, Convert.ToBase64String(payload), StringComparison.Ordinal), Cancel);
        Assert.Equal(ExitCode.Failed, await _run.RunAsync("receipt", "verify", path));
    }

    public void Dispose()
    {
        _key.Dispose();
        _run.Dispose();
    }

    private Task<int> VerifyAsync(byte[][] lines, params string[] options) => VerifyAsync(lines, _key, options);

    private async Task<int> VerifyAsync(byte[][] lines, AuditKey key, params string[] options)
    {
        string path = Path.Combine(_run.NewFolder(Guid.NewGuid().ToString("N")), "log.jsonl");
        await File.WriteAllBytesAsync(path, [.. AuditExport.WriteHeader(s_log, key.PublicKey.Text), .. lines.SelectMany(line => line.Append((byte)'\n'))], Cancel);
        return await _run.RunAsync(["audit", "verify", path, .. options]);
    }

    private static AuditHead After(byte[][] lines) => new(lines.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(lines[^1])));

    /// <summary>What a host with this key appends.</summary>
    private async Task<byte[][]> LinesAsync(int count, AuditHead? after = null, AuditKey? key = null)
    {
        FileObjectStore store = new(_run.NewFolder(Guid.NewGuid().ToString("N")), TimeProvider.System);
        AuditLog log = new(store, key ?? _key, TimeProvider.System);
        AuditPosition position = AuditPosition.Start with { Entries = after?.Entries ?? 0, Hash = after?.Hash ?? AuditPosition.Start.Hash };
        for (int i = 0; i < count; i++)
            position = await log.AppendAsync(s_log, position, new AuditEvent { Action = AuditAction.TokenCreated, Actor = "token:tok_1", Subject = $"{after?.Entries}-{i}" }, Cancel);
        List<byte[]> lines = [];
        await foreach (ReadOnlyMemory<byte> line in new AuditReader(store).ReadLinesAsync(s_log, 1, Cancel)) lines.Add(line.ToArray());
        return [.. lines];
    }
}
