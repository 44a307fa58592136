using System.Diagnostics;
using System.Globalization;

namespace TinyLlm.Storage.Tests;

/// <summary>A second process on the same store: this very program, which does the work that its environment names instead of running tests.</summary>
internal static class StoreChild
{
    /// <summary>Adds one to the object "counter" so many times.</summary>
    public const string Count = "count";

    /// <summary>Writes and appends until it is killed; a line of output per write.</summary>
    public const string Write = "write";

    private const string WorkVariable = "TINYLLM_STORE_CHILD";

    public static Process Start(string work, string root, int number)
    {
        ProcessStartInfo start = new("dotnet", [typeof(StoreChild).Assembly.Location])
        {
            RedirectStandardOutput = true,
            Environment = { [WorkVariable] = $"{work}|{root}|{number.ToString(CultureInfo.InvariantCulture)}" },
        };
        return Process.Start(start) ?? throw new InvalidOperationException("the second process did not start");
    }

    public static async Task CountAsync(ObjectStore store, int steps)
    {
        while (steps > 0)
        {
            StoredObject stored = await store.GetAsync("counter", CancellationToken.None) ?? throw new InvalidOperationException("no counter");
            byte[] next = BitConverter.GetBytes(BitConverter.ToInt32(stored.Bytes.Span) + 1);
            try
            {
                await store.PutAsync("counter", next, PutCondition.IfMatch(stored.ETag), CancellationToken.None);
                steps--;
            }
            catch (StoreException error) when (error.Error == StoreError.ConditionFailed)
            {
                // Another process was first: read again.
            }
        }
    }

    /// <summary>An object whose first byte tells all others and the length.</summary>
    public static byte[] Uniform(byte value) => [.. Enumerable.Repeat(value, 1 + (value * 9_973))];

    /// <summary>Does the work that the environment names; false when it names none.</summary>
    public static async Task<bool> TryRunAsync()
    {
        if (Environment.GetEnvironmentVariable(WorkVariable) is not { Length: > 0 } work) return false;
        string[] parts = work.Split('|');
        FileObjectStore store = new(parts[1]);
        int number = int.Parse(parts[2], CultureInfo.InvariantCulture);
        await (parts[0] == Count ? CountAsync(store, number) : WriteAsync(store, number));
        return true;
    }

    private static async Task WriteAsync(FileObjectStore store, int round)
    {
        for (int i = 0; ; i++)
        {
            await store.PutAsync("whole", Uniform((byte)i), PutCondition.Always, CancellationToken.None);
            string name = $"appended/{round}-{i / 8}";
            long length = await store.LengthAsync(name, CancellationToken.None) ?? 0;
            ContentDigest? digest = i % 2 == 0 ? null : new ContentDigest(System.Security.Cryptography.SHA256.HashData(BodyStream.Bytes(length, 70_000)));
            await store.AppendAsync(name, length, new BodyStream(70_000, patternOffset: length), long.MaxValue, digest, CancellationToken.None);
            Console.WriteLine(i);
        }
    }
}
