using Microsoft.Extensions.Options;
using TinyLlm.Host.Configuration;
using TinyLlm.Host.Hosting;

// Bad arguments and options are one clear line and exit code 2, never a stack trace.
try
{
    HostArguments arguments = HostArguments.Parse(args);
    if (arguments.Information is { } information)
    {
        Console.WriteLine(information);
        return 0;
    }
    if (arguments.IsCheck) return ConfigurationCheck.Run(arguments, Console.Out, Console.Error);
    await using WebApplication app = TinyLlmApplication.Build(arguments);
    await app.RunAsync();
    return 0;
}
catch (HostStartException exception)
{
    Console.Error.WriteLine($"error: {exception.Message}");
    return 2;
}
catch (OptionsValidationException exception)
{
    Console.Error.WriteLine($"error: {string.Join(" ", exception.Failures)}");
    return 2;
}
