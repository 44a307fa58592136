using System.Buffers;
using System.Security.Cryptography;
using TinyLlm.Cli.Api;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Export;

/// <summary>
/// Brings a version's files into a folder of their own, with the host's signature as <c>model.sig</c>. What arrives is checked against the signature, file by
/// file, in a folder beside (<c>DIR.partial</c>), which gets its name when all of it is there: so the folder is whole or absent, and a repeat goes on
/// with the files that arrived. The host's public key lies beside the folder (<c>DIR.pub</c>), and so does a signature that was uploaded with the
/// model (<c>DIR.uploaded.sig</c>): in the folder they would be files that nobody signed.
/// </summary>
internal sealed class ModelExport(TinyLlmClient client, string folder)
{
    private const string SignatureName = "model.sig";
    private const int CopyBytes = 128 << 10;

    private readonly string partial = folder + ".partial";

    /// <summary>Where the host's public key is written.</summary>
    public string KeyPath => folder + ".pub";

    private string UploadedSignaturePath => folder + ".uploaded.sig";

    /// <summary>Exports; <paramref name="tell"/> hears of each file that arrived.</summary>
    public async Task<ModelStatement> RunAsync(string model, Action<string> tell, CancellationToken cancellationToken)
    {
        try
        {
            return await ExportAsync(model, tell, cancellationToken);
        }
        catch (ApiException refusal) when (refusal.Code == "model_not_found")
        {
            // The server tells nobody whether there is a model that the caller may not download: what may be missing is said here.
            throw new ApiException($"{refusal.Message} To export another user's model takes the right to download it, which its owner gives: 'tinyllm grant MODEL USER --right download'")
            {
                Status = refusal.Status,
                Code = refusal.Code,
                TraceId = refusal.TraceId,
            };
        }
    }

    private async Task<ModelStatement> ExportAsync(string model, Action<string> tell, CancellationToken cancellationToken)
    {
        if (Path.Exists(folder)) throw new UsageException($"'{folder}' exists: remove it, or name another folder");

        // 1. What there is, and what the host signed of it.
        ModelDetail detail = await client.GetModelAsync(model, cancellationToken);
        string pem = (await client.GetSigningKeyAsync(cancellationToken)).PublicKey;
        if (File.Exists(KeyPath) && await File.ReadAllTextAsync(KeyPath, cancellationToken) != pem)
            throw new UsageException($"'{KeyPath}' holds something else than the key that the host signs with now: if the host's key was changed, move the file away, else ask its operator");
        byte[] bundle = await client.GetSignatureAsync(detail.Model, cancellationToken);
        ModelStatement statement = Verify(bundle, pem);

        // 2. The files, each checked as it arrives.
        Directory.CreateDirectory(partial);
        foreach (SignedFile file in statement.Files)
        {
            if (!ModelFileName.TryParse(file.Name, out _)) throw new ApiException("the server names a file that no model has");
            if (await IsThereAsync(file, cancellationToken)) continue;
            await DownloadAsync(detail.Model, file, cancellationToken);
            tell(file.Name);
        }
        RemoveOthers(statement);

        // 3. What belongs beside the folder, and then the folder at once.
        if (detail.Files.Any(file => file.Name == SignatureName)) await DownloadUploadedSignatureAsync(detail.Model, cancellationToken);
        await File.WriteAllTextAsync(KeyPath, pem, cancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(partial, SignatureName), bundle, cancellationToken);
        Directory.Move(partial, folder);
        return statement;
    }

    private static ModelStatement Verify(byte[] bundle, string pem)
    {
        if (!VerifyingKey.TryParsePem(pem, out VerifyingKey? key)) throw new ApiException("the server's signing key is not a public key");
        try
        {
            return SignatureBundle.Parse(bundle).Verify(key);
        }
        catch (SignatureException refusal)
        {
            throw new ApiException($"the server's signature of the model does not hold: {refusal.Message}");
        }
    }

    /// <summary>Whether an earlier attempt brought the file, whole.</summary>
    private async Task<bool> IsThereAsync(SignedFile file, CancellationToken cancellationToken)
    {
        string path = Path.Combine(partial, file.Name);
        if (!File.Exists(path)) return false;
        await using FileStream stream = File.OpenRead(path);
        return (await ContentDigest.ComputeAsync(stream, cancellationToken)).Equals(file.Sha256);
    }

    private async Task DownloadAsync(ModelEntry model, SignedFile file, CancellationToken cancellationToken)
    {
        await using Stream body = await client.OpenFileAsync(model, file.Name, cancellationToken);
        await using FileStream target = new(Path.Combine(partial, file.Name), FileMode.Create, FileAccess.Write, FileShare.None);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            for (int count; (count = await body.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                hash.AppendData(buffer, 0, count);
                await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (!file.Sha256.Equals(new ContentDigest(hash.GetHashAndReset()))) throw new ApiException("the bytes that arrived are not those that the host signed") { File = file.Name };
    }

    private async Task DownloadUploadedSignatureAsync(ModelEntry model, CancellationToken cancellationToken)
    {
        await using Stream body = await client.OpenFileAsync(model, SignatureName, cancellationToken);
        await using FileStream target = new(UploadedSignaturePath, FileMode.Create, FileAccess.Write, FileShare.None);
        await body.CopyToAsync(target, cancellationToken);
    }

    /// <summary>What an attempt at another version left.</summary>
    private void RemoveOthers(ModelStatement statement)
    {
        HashSet<string> wanted = [.. statement.Files.Select(file => file.Name)];
        foreach (string path in Directory.EnumerateFiles(partial).Where(path => !wanted.Contains(Path.GetFileName(path)))) File.Delete(path);
    }
}
