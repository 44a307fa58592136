using TinyLlm.Storage;

namespace TinyLlm.Cli.Audit;

/// <summary>Reads an exported log line by line, and verifies it without asking anybody.</summary>
internal static class AuditFile
{
    /// <summary>What a line may have at most; longer is no entry.</summary>
    private const int MaxLineBytes = 1 << 20;

    /// <summary>Who the file says it is from.</summary>
    public static AuditExport ReadHeader(string path)
    {
        byte[]? first = Lines(path).FirstOrDefault();
        return AuditExport.TryParseHeader(first, out AuditExport? header)
            ? header
            : throw new UsageException($"'{path}' is no exported audit log: its first line is not the header of 'tinyllm audit export'");
    }

    /// <summary>Verifies the lines after the header.</summary>
    public static AuditVerdict Verify(string path, AuditLogId log, AuditPublicKey key, AuditHead? held)
    {
        AuditVerifier verifier = new(log, key, held);
        foreach (byte[] line in Lines(path).Skip(1))
        {
            if (!verifier.Add(line)) break;
        }
        return verifier.Finish();
    }

    private static IEnumerable<byte[]> Lines(string path)
    {
        using FileStream file = File.OpenRead(path);
        using BufferedStream buffered = new(file, 64 << 10);
        List<byte> line = [];
        while (buffered.ReadByte() is var next and >= 0)
        {
            if (next != '\n' && line.Count < MaxLineBytes)
            {
                line.Add((byte)next);
                continue;
            }
            yield return [.. line];
            line.Clear();
        }
        if (line.Count > 0) yield return [.. line];
    }
}
