using System.Text;

namespace TinyLlm.Storage.Tests.Audit;

public sealed class AuditLogTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Append_OverSeveralSegments_ReadsBackWholeAndFromAnyEntry()
    {
        using TestLog log = new();
        int count = (2 * AuditLog.SegmentEntries) + 3;
        await log.AppendAsync(count);
        Assert.Equal(3, (await log.Reader.SegmentsAsync(TestLog.Id, Cancel)).Count);
        Assert.Equal(AuditFault.None, log.Verify(await log.LinesAsync()).Fault);

        foreach (long from in (long[])[1, 2, AuditLog.SegmentEntries, AuditLog.SegmentEntries + 1, count, count + 1])
        {
            List<AuditEntry> entries = [];
            await foreach (AuditEntry entry in log.Reader.ReadAsync(TestLog.Id, from, Cancel)) entries.Add(entry);
            Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i + 1).Where(n => n >= from), entries.Select(entry => entry.Number));
            Assert.All(entries, entry => Assert.Equal($"subject-{entry.Number - 1}", entry.Subject));
        }
    }

    /// <summary>What a user named can't break a line, a terminal or a log viewer.</summary>
    [Fact]
    public async Task Append_ControlCharacters_AreEscapedAndComeBack()
    {
        using TestLog log = new();
        await log.AppendAsync(1);
        byte[] line = Assert.Single(await log.LinesAsync());
        Assert.All(line, b => Assert.InRange(b, (byte)0x20, (byte)0x7e));
        await foreach (AuditEntry entry in log.Reader.ReadAsync(TestLog.Id, 1, Cancel)) Assert.Equal("grüße\r\n\u001b[31m", entry.Details["text"]);
    }

    [Fact]
    public async Task Append_TextBeyondItsBound_IsRefused()
    {
        using TestLog log = new();
        AuditEvent told = TestLog.Event(0) with { Subject = new string('x', AuditEvent.MaxTextLength + 1) };
        await Assert.ThrowsAsync<ArgumentException>(() => log.Log.AppendAsync(TestLog.Id, AuditPosition.Start, told, Cancel));
        Assert.Empty(await log.LinesAsync());
    }

    [Fact]
    public async Task Append_LogEndsElsewhere_IsOffsetMismatch()
    {
        using TestLog log = new();
        AuditPosition start = log.Position;
        await log.AppendAsync(2);
        StoreException refused = await Assert.ThrowsAsync<StoreException>(() => log.Log.AppendAsync(TestLog.Id, start, TestLog.Event(0), Cancel));
        Assert.Equal(StoreError.OffsetMismatch, refused.Error);
    }

    [Fact]
    public async Task Reconcile_SamePosition_ChangesNothing()
    {
        using TestLog log = new();
        Assert.Equal(AuditPosition.Start, await log.Log.ReconcileAsync(TestLog.Id, AuditPosition.Start, Cancel));
        await log.AppendAsync(AuditLog.SegmentEntries); // just full
        Assert.Equal(log.Position, await log.Log.ReconcileAsync(TestLog.Id, log.Position, Cancel));
    }

    /// <summary>The state was not written after the entry, in the middle of a segment and at its seam.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(AuditLog.SegmentEntries - 1)]
    [InlineData(AuditLog.SegmentEntries)]
    public async Task Reconcile_EntriesThatTheStateDoesNotKnow_SaysThatTheyWereNotApplied(int known)
    {
        using TestLog log = new();
        await log.AppendAsync(known);
        AuditPosition state = log.Position;
        await log.AppendAsync(1);

        log.Position = await log.Log.ReconcileAsync(TestLog.Id, state, Cancel);
        Assert.Equal(known + 2, log.Position.Entries);
        await log.AppendAsync(1);
        List<byte[]> lines = await log.LinesAsync();
        Assert.Equal(AuditFault.None, log.Verify(lines).Fault);
        Assert.Contains($"\"action\":\"audit.not_applied\",\"actor\":\"host\",\"subject\":\"{known + 1}\"", Encoding.UTF8.GetString(lines[known + 1]), StringComparison.Ordinal);
    }

    /// <summary>A loss of power in the middle of a line: nobody was told of it, and the next entry follows the last whole one.</summary>
    [Fact]
    public async Task Reconcile_HalfALine_IsCutOff()
    {
        using TestLog log = new();
        await log.AppendAsync(3);
        await log.Store.AppendAsync(AuditReader.SegmentName(TestLog.Id, 1), log.Position.SegmentBytes, new MemoryStream("{\"n\":4,"u8.ToArray()), long.MaxValue, Cancel);
        Assert.Equal(log.Position, await log.Log.ReconcileAsync(TestLog.Id, log.Position, Cancel));
        await log.AppendAsync(1);
        Assert.Equal(new AuditVerdict(AuditFault.None, 4, new AuditHead(4, log.Position.Hash)), log.Verify(await log.LinesAsync()));
    }

    /// <summary>The gap stays visible: the log goes on after the entries that the state knows of, and no verification passes.</summary>
    [Fact]
    public async Task Reconcile_EntriesMissing_SaysSoAndTheGapStays()
    {
        using TestLog log = new();
        await log.AppendAsync(3);
        AuditPosition state = log.Position;
        string segment = AuditReader.SegmentName(TestLog.Id, 1);
        StoredObject stored = (await log.Store.GetAsync(segment, Cancel))!;
        int first = stored.Bytes.Span.IndexOf((byte)'\n') + 1;
        await log.Store.PutAsync(segment, stored.Bytes[..first], PutCondition.Always, Cancel);

        log.Position = await log.Log.ReconcileAsync(TestLog.Id, state, Cancel);
        await log.AppendAsync(1);
        List<byte[]> lines = await log.LinesAsync();
        Assert.Equal(3, lines.Count); // entries 1, 4 and 5
        Assert.Contains("\"n\":4,", Encoding.UTF8.GetString(lines[1]), StringComparison.Ordinal);
        Assert.Contains("audit.entries_missing", Encoding.UTF8.GetString(lines[1]), StringComparison.Ordinal);
        Assert.Equal(AuditFault.OutOfOrder, log.Verify(lines).Fault);
    }

    [Fact]
    public void PublicKey_TextAndPem_AreReadBack()
    {
        using AuditKey key = AuditKey.Parse(AuditKey.NewText());
        Assert.True(AuditPublicKey.TryParse(key.PublicKey.Text, out AuditPublicKey? read));
        Assert.Equal(key.PublicKey.Id, read.Id);
        string pem = $"-----BEGIN PUBLIC KEY-----\n{key.PublicKey.Text}\n-----END PUBLIC KEY-----";
        Assert.True(AuditPublicKey.TryParse(pem, out read));
        Assert.Equal(key.PublicKey.Id, read.Id);
        Assert.False(AuditPublicKey.TryParse("AAAA", out _));
        Assert.False(AuditPublicKey.TryParse("no base64", out _));
    }

    /// <summary>An entry's signature is none for a receipt of the same bytes.</summary>
    [Fact]
    public void Verifies_OtherPurpose_IsFalse()
    {
        using AuditKey key = AuditKey.Parse(AuditKey.NewText());
        byte[] signature = key.Sign(AuditKey.Purpose.Entry, "text"u8);
        Assert.True(key.PublicKey.Verifies(AuditKey.Purpose.Entry, "text"u8, signature));
        Assert.False(key.PublicKey.Verifies(AuditKey.Purpose.Receipt, "text"u8, signature));
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("-1:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("5:00")]
    [InlineData("5:000000000000000000000000000000000000000000000000000000000000000G")]
    public void HeadTryParse_Malformed_IsFalse(string text) => Assert.False(AuditHead.TryParse(text, out _));
}
