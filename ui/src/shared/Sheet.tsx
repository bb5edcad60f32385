import { CloseButton, Modal, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { words } from "./words";

/** A dialog with its title and a way out. Mantine's own head would be a second banner. */
export function Sheet({
  title,
  opened,
  onClose,
  size = "md",
  children,
}: {
  title: string;
  opened: boolean;
  onClose: () => void;
  size?: string;
  children: ReactNode;
}) {
  return (
    <Modal.Root opened={opened} onClose={onClose} size={size}>
      <Modal.Overlay />
      <Modal.Content aria-label={title}>
        <Modal.Body p={24}>
          <div className="sheet-head">
            <Title order={2} size="h4">
              {title}
            </Title>
            <CloseButton size={44} aria-label={words.close} onClick={onClose} />
          </div>
          {children}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
