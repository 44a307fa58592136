namespace TinyLlm.Storage.Tests;

/// <summary>Reads what a version has.</summary>
internal static class ModelFilesReading
{
    /// <summary>A file's plaintext, whole.</summary>
    public static async Task<byte[]> ReadAllAsync(this ModelFiles files, UserId owner, VersionId version, ModelFileName file, VersionKey? key)
    {
        using VersionFile opened = await files.OpenAsync(owner, version, file, key, TestContext.Current.CancellationToken);
        byte[] bytes = new byte[opened.Length];
        await opened.ReadAsync(0, bytes, TestContext.Current.CancellationToken);
        return bytes;
    }
}
