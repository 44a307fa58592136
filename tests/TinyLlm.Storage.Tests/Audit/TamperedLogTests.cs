namespace TinyLlm.Storage.Tests.Audit;

/// <summary>
/// Logs that somebody with the whole store in hand changed. Edits, deletions and new orders show by themselves; a missing end, a roll-back and a
/// fork show to one who holds an earlier head, and, as a check of the tests themselves, to nobody else.
/// </summary>
public sealed class TamperedLogTests
{
    private const int Entries = 24;
    private const int LogsOfAKind = 1_667; // six kinds: 10,002 logs

    public enum Kind
    {
        Edit,
        Delete,
        Reorder,
        Truncate,
        RollBack,
        Fork,
    }

    public static TheoryData<Kind> Kinds => [.. Enum.GetValues<Kind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Verify_TamperedLog_IsDetected(Kind kind)
    {
        using TestLog log = new();
        await log.AppendAsync(Entries);
        List<byte[]> lines = await log.LinesAsync();
        AuditVerdict intact = log.Verify(lines);
        Assert.Equal(new AuditVerdict(AuditFault.None, Entries, new AuditHead(log.Position.Entries, log.Position.Hash)), intact);
        using Branches branches = await Branches.OfAsync(log, lines);

        Random random = new(20_260_101 + (int)kind);
        for (int i = 0; i < LogsOfAKind; i++)
        {
            List<byte[]> tampered = Tamper(kind, lines, branches, random);
            AuditVerdict alone = log.Verify(tampered);
            AuditVerdict holding = log.Verify(tampered, intact.Head);
            if (kind is Kind.Edit or Kind.Delete or Kind.Reorder) Assert.NotEqual(AuditFault.None, alone.Fault);
            else Assert.Equal(AuditFault.None, alone.Fault);
            if (kind is Kind.Truncate) Assert.Equal(AuditFault.Truncated, holding.Fault);
            else if (kind is Kind.Fork) Assert.Equal(AuditFault.Forked, holding.Fault);
            else Assert.NotEqual(AuditFault.None, holding.Fault);
        }
    }

    /// <summary>A head from the middle of the log stays good while the log grows, and so does no head of another log.</summary>
    [Fact]
    public async Task Verify_HeldHeadOfEarlier_IsGood()
    {
        using TestLog log = new();
        await log.AppendAsync(Entries);
        AuditHead earlier = new(log.Position.Entries, log.Position.Hash);
        await log.AppendAsync(Entries);
        List<byte[]> lines = await log.LinesAsync();
        Assert.Equal(AuditFault.None, log.Verify(lines, earlier).Fault);
        Assert.Equal(AuditFault.Forked, log.Verify(lines, earlier with { Hash = new string('a', 64) }).Fault);
    }

    /// <summary>Whoever has the store but not the key can write a chain that is consistent in itself.</summary>
    [Fact]
    public async Task Verify_ChainRewrittenWithAnotherKey_IsNotSigned()
    {
        using TestLog log = new();
        using TestLog forged = new();
        await forged.AppendAsync(Entries);
        Assert.Equal(AuditFault.NotSigned, log.Verify(await forged.LinesAsync()).Fault);
    }

    /// <summary>(r, n - s) verifies wherever (r, s) does: the last entry could be edited without the verifier's notice.</summary>
    [Fact]
    public async Task Verify_OtherSpellingOfTheLastSignature_IsNotSigned()
    {
        using TestLog log = new();
        await log.AppendAsync(1);
        string line = System.Text.Encoding.UTF8.GetString(Assert.Single(await log.LinesAsync()));
        string hex = line[^130..^2];
        System.Numerics.BigInteger order = System.Numerics.BigInteger.Parse(
            "0ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", System.Globalization.NumberStyles.HexNumber, null);
        System.Numerics.BigInteger s = System.Numerics.BigInteger.Parse("0" + hex[64..], System.Globalization.NumberStyles.HexNumber, null);
        string other = line[..^66] + (order - s).ToString("x64", null)[^64..] + "\"}";
        Assert.NotEqual(line, other);
        Assert.Equal(AuditFault.NotSigned, log.Verify([System.Text.Encoding.UTF8.GetBytes(other)]).Fault);
        Assert.Equal(AuditFault.NotSigned, log.Verify([System.Text.Encoding.UTF8.GetBytes(line[..^130] + hex.ToUpperInvariant() + "\"}")]).Fault);
    }

    private static List<byte[]> Tamper(Kind kind, List<byte[]> lines, Branches branches, Random random)
    {
        List<byte[]> tampered = [.. lines];
        int at = random.Next(lines.Count);
        switch (kind)
        {
            case Kind.Edit:
                byte[] edited = [.. lines[at]];
                edited[random.Next(edited.Length)] ^= (byte)(1 << random.Next(8));
                tampered[at] = edited;
                break;
            case Kind.Delete: // anywhere but at the end
                tampered.RemoveRange(random.Next(lines.Count - 1), 1);
                break;
            case Kind.Reorder:
                int other = (at + 1 + random.Next(lines.Count - 1)) % lines.Count;
                (tampered[at], tampered[other]) = (tampered[other], tampered[at]);
                break;
            case Kind.Truncate:
                tampered.RemoveRange(at, lines.Count - at);
                break;
            case Kind.RollBack: // cut off, and gone on with for fewer entries than were cut off
                (int start, List<byte[]> branch) = branches.Pick(random);
                tampered = [.. lines[..start], .. branch[..random.Next(1, lines.Count - start)]];
                break;
            case Kind.Fork: // as above, but the log is as long as before or longer
                (start, branch) = branches.Pick(random);
                tampered = [.. lines[..start], .. branch[..random.Next(lines.Count - start, branch.Count + 1)]];
                break;
        }
        return tampered;
    }

    /// <summary>What the host itself, with its key, wrote after the log was rolled back to different entries.</summary>
    private sealed class Branches : IDisposable
    {
        private readonly List<(int Start, List<byte[]> Lines)> branches = [];
        private readonly List<TestLog> logs = [];

        public static async Task<Branches> OfAsync(TestLog log, List<byte[]> lines)
        {
            Branches made = new();
            foreach (int start in (int[])[0, 1, 7, 15, 22])
            {
                TestLog other = new(AuditKey.Parse(AuditKey.NewText()));
                made.logs.Add(other);
                AuditLog rolledBack = new(other.Store, log.Key, TimeProvider.System);
                AuditPosition position = start == 0 ? AuditPosition.Start
                    : new AuditPosition { Entries = start, Hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(lines[start - 1])), Segment = 1, SegmentBytes = 0 };
                for (int i = 0; i < lines.Count - start + 5; i++) position = await rolledBack.AppendAsync(TestLog.Id, position, TestLog.Event(1_000 + i), TestContext.Current.CancellationToken);
                made.branches.Add((start, await other.LinesAsync()));
            }
            return made;
        }

        public (int Start, List<byte[]> Lines) Pick(Random random) => branches[random.Next(branches.Count)];

        public void Dispose()
        {
            foreach (TestLog log in logs) log.Dispose();
        }
    }
}
