using System.Collections.Immutable;
using TinyLlm.Grains.Errors;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Models;

/// <summary>
/// Verifies a <c>model.sig</c> that was uploaded with a model's files: it must be a signature of exactly these files, whoever made it. Whether who
/// made it suffices is the owner's decision, and not known here.
/// </summary>
public static class UploadedSignature
{
    /// <summary>What the signature is worth; null where there is none.</summary>
    /// <param name="files">The version's files.</param>
    /// <param name="manifest">Their digests.</param>
    /// <param name="trustedKeys">PEM of the keys that the owner trusts.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="RequestException">ModelInvalid: "signature_" and the member of <see cref="SignatureError"/>.</exception>
    public static async Task<SignatureFacts?> VerifyAsync(
        VersionFiles files, ModelManifest manifest, ImmutableArray<string> trustedKeys, CancellationToken cancellationToken)
    {
        if (manifest.Files.FirstOrDefault(file => file.Name.Kind == ModelFileKind.Signature) is not { } signature) return null;
        byte[] bytes = await files.ReadAsync(signature.Name.Value, SignatureBundle.MaxBytes, cancellationToken);
        try
        {
            SignatureBundle bundle = SignatureBundle.Parse(bytes);
            RequireFiles(bundle.UnverifiedStatement(), manifest);
            VerifyingKey? signer = bundle.FindSigner([.. trustedKeys.Select(Read)]);
            return new SignatureFacts { Key = signer?.Hint ?? Named(bundle), IsVerified = signer is not null };
        }
        catch (SignatureException refusal)
        {
            throw new RequestException(RequestError.ModelInvalid, $"{signature.Name}: {refusal.Message}. Sign the files anew, or upload them without {signature.Name}.")
            {
                Detail = $"signature_{WireCode.Of(refusal.Error)}",
                FileName = refusal.FileName ?? signature.Name.Value,
            };
        }
    }

    /// <summary>Stricter than the format: what a signature leaves out would pass for signed.</summary>
    private static void RequireFiles(ModelStatement statement, ModelManifest manifest)
    {
        SignedFile[] present = [.. manifest.Files.Where(file => file.Name.Kind != ModelFileKind.Signature).Select(file => new SignedFile(file.Name.Value, file.Sha256))];
        if (present.FirstOrDefault(file => statement.Ignores(file.Name)) is { } ignored)
            throw new SignatureException(SignatureError.FileNotSigned, $"the signature ignores '{ignored.Name}'", ignored.Name);
        statement.RequireFiles(present);
    }

    /// <summary>The name that the file gives its key, if it is one of the public tool's; others could be anything, of any length.</summary>
    private static string? Named(SignatureBundle bundle) => ContentDigest.TryParseHex(bundle.Hint, out ContentDigest? digest) ? digest.Hex : null;

    private static VerifyingKey Read(string pem) =>
        VerifyingKey.TryParsePem(pem, out VerifyingKey? key) ? key : throw new InvalidOperationException("a trusted key of the user's state is not one");
}
