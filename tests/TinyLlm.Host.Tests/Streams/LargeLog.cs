using System.Collections.Immutable;
using TinyLlm.Storage;

namespace TinyLlm.Host.Tests.Streams;

/// <summary>An audit log of megabytes, of entries as long as entries may be: written as every log is, and put in the place of a host's.</summary>
internal static class LargeLog
{
    private const int Entries = 300;

    public static async Task PutAsync(ObjectStore store, AuditLogId log)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string folder = Directory.CreateTempSubdirectory("tinyllm-log-").FullName;
        try
        {
            FileObjectStore elsewhere = new(folder, TimeProvider.System);
            using AuditKey key = AuditKey.Parse(AuditKey.NewText());
            AuditLog writer = new(elsewhere, key, TimeProvider.System);
            string text = new('\u6f22', AuditEvent.MaxTextLength); // six characters each, as JSON writes it
            AuditEvent told = new()
            {
                Action = AuditAction.TokenCreated,
                Actor = "host",
                Details = Enumerable.Range(0, AuditEvent.MaxDetails).ToImmutableDictionary(detail => $"d{detail}", _ => text),
            };
            AuditPosition position = AuditPosition.Start;
            for (int entry = 0; entry < Entries; entry++) position = await writer.AppendAsync(log, position, told, cancel);
            ObjectInfo segment = await elsewhere.ListAsync("audit", cancel).SingleAsync(cancel);
            await store.PutAsync(segment.Name, (await elsewhere.GetAsync(segment.Name, cancel))!.Bytes, PutCondition.Always, cancel);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
